/** The storage contract, and its implementation over Hadoop file systems and local files. */
package io.shardpress.common.storage;
