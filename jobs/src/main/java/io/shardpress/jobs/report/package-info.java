/** What a run tells its user when it ends: a record for programs and a table for people. */
package io.shardpress.jobs.report;
