/**
 * Measures models on held-out text: perplexity, divergence from the dense model, top-1 agreement.
 */
package io.shardpress.jobs.evaluate;
