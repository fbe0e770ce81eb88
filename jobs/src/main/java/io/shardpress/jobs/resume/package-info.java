/**
 * What makes a run one that can die anywhere: who works at a destination (a lease), what the work
 * is (an identity), and what of it is done already.
 */
package io.shardpress.jobs.resume;
