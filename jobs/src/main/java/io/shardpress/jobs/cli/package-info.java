/** The command line. */
package io.shardpress.jobs.cli;
