/** What the stages, jobs and tasks of a run cost: gathered while it runs, published, read again. */
package io.shardpress.jobs.costs;
