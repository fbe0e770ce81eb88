/** Whole runs on other storage than local files. */
package io.shardpress.integration.stores;
