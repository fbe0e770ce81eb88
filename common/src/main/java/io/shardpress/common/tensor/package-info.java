/** Tensors as stored: types, shapes, bytes and their conversion to and from F32. */
package io.shardpress.common.tensor;
