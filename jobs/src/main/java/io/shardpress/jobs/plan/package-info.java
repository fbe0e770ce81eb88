/** What a run will do, from headers alone: no tensor is read and no executor is needed. */
package io.shardpress.jobs.plan;
