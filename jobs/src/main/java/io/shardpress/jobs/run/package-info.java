/** What the stages of a run share: its workspace, its progress, and how it writes records. */
package io.shardpress.jobs.run;
