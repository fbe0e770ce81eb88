/** What a run tells its user: progress while it works, a record and a table when it ends. */
package io.shardpress.jobs.run;
