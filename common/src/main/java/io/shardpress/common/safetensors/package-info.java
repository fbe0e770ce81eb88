/** The safetensors file format: headers read by the reference rules, files written byte-stable. */
package io.shardpress.common.safetensors;
