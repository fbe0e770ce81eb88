/**
 * Lossless coding of stored tensors: their elements taken apart into streams of byte symbols, each
 * entropy-coded by itself (rANS, Duda, arXiv:1311.2540) with a static table.
 */
package io.shardpress.operators.coding;
