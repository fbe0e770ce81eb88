/** Checks of a published checkpoint against its record and its source. */
package io.shardpress.jobs.verify;
