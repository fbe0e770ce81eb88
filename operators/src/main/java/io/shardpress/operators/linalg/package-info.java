/**
 * The one door to native numerics. Arrays are F32, row-major ('c' order), contiguous and whole;
 * whoever receives one from a method here owns its off-heap memory and closes it.
 *
 * <p>Products run on one thread: a Spark task is the unit of parallelism, and the bits of a product
 * depend on its thread count.
 */
package io.shardpress.operators.linalg;
