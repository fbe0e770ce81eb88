/** Small helpers over the storage contract. */
package io.shardpress.jobs.storage;
