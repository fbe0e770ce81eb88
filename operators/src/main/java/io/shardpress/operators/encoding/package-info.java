/** Target formats: from quantized weights to the tensors that a file holds, and back. */
package io.shardpress.operators.encoding;
