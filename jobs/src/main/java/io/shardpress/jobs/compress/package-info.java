/** Solves layers: one task per shared input, so that its Gram is factored once. */
package io.shardpress.jobs.compress;
