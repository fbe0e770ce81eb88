/**
 * What calibration keeps of a linear's inputs: additive over tokens, folded in a fixed order, so
 * that the result does not depend on how the tokens were spread over workers.
 */
package io.shardpress.operators.statistics;
