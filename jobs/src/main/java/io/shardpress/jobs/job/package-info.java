/** The jobs behind the commands: each a page that tells what happens, in order. */
package io.shardpress.jobs.job;
