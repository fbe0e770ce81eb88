package io.shardpress.operators.encoding;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.model.LinearModule.Layout;
import java.io.Serializable;

/**
 * A linear as its source checkpoint stores it.
 *
 * @param module name, to which a format adds its own suffixes
 * @param out output features
 * @param in input features
 * @param type element type of the source's weight, which scales are stored in
 * @param layout orientation of the source's weight
 */
public record StoredLinear(String module, long out, long in, DType type, Layout layout)
    implements Serializable {}
