package io.shardpress.jobs.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Arrow tables of one column, a list of fixed size without nulls: a row-major matrix {@code [rows,
 * size]} of four-byte elements.
 */
final class FixedLists {
  private static final int BYTES = 4;

  private FixedLists() {}

  static Schema schema(String column, ArrowType element, int size, Map<String, String> metadata) {
    Field item = new Field("item", FieldType.notNullable(element), List.of());
    FieldType list = FieldType.notNullable(new ArrowType.FixedSizeList(size));
    return new Schema(List.of(new Field(column, list, List.of(item))), metadata);
  }

  /** Room for {@code rows} rows, all values valid; its elements are to be filled. */
  static VectorSchemaRoot allocate(Schema schema, BufferAllocator allocator, int rows) {
    VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
    int size = list(root).getListSize();
    list(root).setInitialCapacity(rows);
    list(root).allocateNew();
    elements(root).allocateNew(Math.multiplyExact(rows, size));
    resize(root, rows);
    return root;
  }

  /** Sets the number of rows, up to those allocated. */
  static void resize(VectorSchemaRoot root, int rows) {
    FixedSizeListVector list = list(root);
    setValid(list.getValidityBuffer(), rows);
    setValid(elements(root).getValidityBuffer(), Math.multiplyExact(rows, list.getListSize()));
    root.setRowCount(rows);
  }

  /** The first {@code count} elements, rows one after the other; a view of the table's memory. */
  static ByteBuffer values(VectorSchemaRoot root, int count) {
    return elements(root)
        .getDataBuffer()
        .nioBuffer(0, Math.multiplyExact(count, BYTES))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private static FixedSizeListVector list(VectorSchemaRoot root) {
    return (FixedSizeListVector) root.getVector(0);
  }

  private static BaseFixedWidthVector elements(VectorSchemaRoot root) {
    return (BaseFixedWidthVector) list(root).getDataVector();
  }

  /** Ones for {@code count} values, zeros up to the end of the last byte. */
  private static void setValid(ArrowBuf validity, int count) {
    validity.setOne(0L, (long) (count / 8));
    if (count % 8 != 0) {
      validity.setByte(count / 8, (1 << (count % 8)) - 1);
    }
  }
}
