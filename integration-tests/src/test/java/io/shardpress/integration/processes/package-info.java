/** Runs in processes of their own, and what becomes of them when one is killed. */
package io.shardpress.integration.processes;
