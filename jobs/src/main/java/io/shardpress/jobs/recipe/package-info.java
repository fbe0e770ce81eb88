/** A recipe: what to compress, how, with which data, and where to put it. */
package io.shardpress.jobs.recipe;
