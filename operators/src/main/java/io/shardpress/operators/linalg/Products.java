package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.Floats.columns;
import static io.shardpress.operators.linalg.Floats.rows;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrix products with F32 results, spread over the task's {@link Workers}. Operands are F32 or
 * BF16; two BF16 operands are multiplied as such where the machine gains by it, anything else is
 * widened to F32 first. New results are owned by the caller.
 */
public final class Products {
  /** Columns of a product that one call of a kernel computes; borders never depend on threads. */
  private static final int PART = 1024;

  /** Rows of a Gram that one thread computes, and columns of a BF16 one that one call does. */
  private static final int GRAM_PART = 512;

  /** Elements of BF16 from one place where a matrix may begin to the next. */
  private static final int LINE = OffHeapMatrix.ALIGNMENT / Short.BYTES;

  private Products() {}

  /** {@code a [m, k] · b [n, k]ᵀ → [m, n]}: a linear layer's {@code x·Wᵀ}. */
  public static INDArray timesTransposed(INDArray a, INDArray b) {
    INDArray c = Floats.uninitialized(rows(a), rows(b));
    timesTransposed(a, b, c);
    return c;
  }

  /** {@link #timesTransposed(INDArray, INDArray)} into {@code c}, whose content is lost. */
  public static void timesTransposed(INDArray a, INDArray b, INDArray c) {
    requireEqual(columns(a), columns(b), a, b);
    requireEqual(rows(b), columns(c), b, c);
    requireEqual(rows(a), rows(c), a, c);
    inParts(a, Form.TRANSPOSED, b, Update.SET, Block.all(c));
  }

  /** {@code sum [m, n] += a [m, k] · b [n, k]ᵀ}. */
  public static void addTimesTransposed(INDArray a, INDArray b, Block sum) {
    inParts(a, Form.TRANSPOSED, b, Update.ADD, sum);
  }

  /** {@code sum [m, n] += a [m, k] · b [k, n]}. */
  public static void addTimes(INDArray a, INDArray b, Block sum) {
    inParts(a, Form.PLAIN, b, Update.ADD, sum);
  }

  /**
   * {@code c [m, n] = a [m, k] · b [n, k]ᵀ} between blocks of larger matrices, on the calling
   * thread. Both operands have one type; BF16 only where {@link Kernels#multiplyBf16}.
   */
  public static void timesTransposed(Block a, Block b, Block c) {
    multiply(Form.PLAIN, a, Form.TRANSPOSED, b, Update.SET, c);
  }

  /** {@code c [m, n] += a [m, k] · b [n, k]ᵀ}, otherwise the same. */
  public static void addTimesTransposed(Block a, Block b, Block c) {
    multiply(Form.PLAIN, a, Form.TRANSPOSED, b, Update.ADD, c);
  }

  /**
   * {@code into [m, n] = activation(x [m, k] · gate [n, k]ᵀ) ∘ (x · up [n, k]ᵀ)}, all BF16: the
   * inside of a gated network, which does not pass through memory in F32.
   */
  public static void gated(
      INDArray x, INDArray gate, Activation activation, INDArray up, INDArray into) {
    int m = rows(into);
    int n = columns(into);
    requireShapes(Form.PLAIN, Block.all(x), Form.TRANSPOSED, Block.all(gate), Block.all(into));
    requireEqual(n, rows(up), into, up);
    requireEqual(columns(x), columns(up), x, up);
    Workers.forEach(
        parts(n, PART),
        part -> {
          int from = part * PART;
          int count = Math.min(PART, n - from);
          try (INDArray factors = Floats.uninitialized(m, count)) {
            Block all = Block.all(factors);
            timesTransposed(Block.all(x), Block.rows(up, from, count), all);
            Kernels.chosen()
                .gated(
                    Block.all(x),
                    Block.rows(gate, from, count),
                    activation,
                    all,
                    Block.columns(into, from, count));
          }
        });
  }

  /** {@code c [m, n] = a [m, k] · b [k, n]}, otherwise like the transposed one. */
  public static void times(Block a, Block b, Block c) {
    multiply(Form.PLAIN, a, Form.PLAIN, b, Update.SET, c);
  }

  /** {@code a [m, k] · b [k, n] → [m, n]}. */
  public static INDArray times(INDArray a, INDArray b) {
    INDArray c = Floats.uninitialized(rows(a), columns(b));
    times(a, b, c);
    return c;
  }

  /** {@link #times(INDArray, INDArray)} into {@code c}, whose content is lost. */
  public static void times(INDArray a, INDArray b, INDArray c) {
    requireEqual(columns(a), rows(b), a, b);
    requireEqual(columns(b), columns(c), b, c);
    requireEqual(rows(a), rows(c), a, c);
    inParts(a, Form.PLAIN, b, Update.SET, Block.all(c));
  }

  /** {@code c (= | +=) a · op(b)}, some columns of c at a time. */
  private static void inParts(INDArray a, Form formB, INDArray b, Update update, Block c) {
    int n = c.columns();
    try (Pair pair = Pair.of(a, b)) {
      Workers.forEach(
          parts(n, PART),
          part -> {
            int from = part * PART;
            int count = Math.min(PART, n - from);
            Block some =
                formB == Form.PLAIN
                    ? Block.columns(pair.b(), from, count)
                    : Block.rows(pair.b(), from, count);
            multiply(Form.PLAIN, Block.all(pair.a()), formB, some, update, c.part(from, count));
          });
    }
  }

  /** {@code c [m, n] -= a [k, m]ᵀ · b [k, n]}, all F32, on the calling thread. */
  public static void subtractTransposedTimes(Block c, Block a, Block b) {
    multiply(Form.TRANSPOSED, a, Form.PLAIN, b, Update.SUBTRACT, c);
  }

  /**
   * Upper triangle of {@code g [n, n] += x [m, n]ᵀ · x}; what lies below the diagonal is lost until
   * {@link #mirrorUpper}.
   */
  public static void addGramUpper(INDArray g, INDArray x) {
    gramUpper(g, x, Update.ADD);
  }

  /** {@link #addGramUpper} to nothing: what {@code g} held is lost. */
  public static void gramUpper(INDArray g, INDArray x) {
    gramUpper(g, x, Update.SET);
  }

  private static void gramUpper(INDArray g, INDArray x, Update update) {
    int n = columns(g);
    requireEqual(n, columns(x), g, x);
    try (Pair pair = Pair.of(x, x)) {
      if (BFloats.isBf16(pair.a())) {
        gramOfTransposed(g, x, update);
      } else {
        Workers.forEach(
            parts(n, GRAM_PART),
            part -> {
              int from = part * GRAM_PART;
              int count = Math.min(GRAM_PART, n - from);
              multiply(
                  Form.TRANSPOSED,
                  Block.columns(pair.a(), from, count),
                  Form.PLAIN,
                  Block.columns(pair.a(), from, n - from),
                  update,
                  new Block(g, from, count, from, n - from));
            });
      }
    }
  }

  /**
   * A Gram of BF16 by tiles. Both operands of a tile are rows of the transposed input: a transposed
   * one is read at less than half the speed, and rows that lie a power of two apart evict each
   * other from cache.
   */
  private static void gramOfTransposed(INDArray g, INDArray x, Update update) {
    int parts = parts(columns(x), GRAM_PART);
    int tokens = padded(rows(x));
    try (INDArray transposed = transposed(x)) {
      Workers.forEach(
          parts,
          part -> {
            Block left = channels(transposed, part, tokens);
            for (int other = part; other < parts; other++) {
              multiplyTransposed(g, left, channels(transposed, other, tokens), update);
            }
          });
    }
  }

  private static void multiplyTransposed(INDArray g, Block left, Block right, Update update) {
    multiply(
        Form.PLAIN,
        left,
        Form.TRANSPOSED,
        right,
        update,
        new Block(g, left.firstRow(), left.rows(), right.firstRow(), right.rows()));
  }

  /** {@code c [m, n] = x [tokens, m]ᵀ · y [tokens, n]}: a part of a Gram beside its diagonal. */
  public static void crossGram(INDArray c, INDArray x, INDArray y) {
    crossGram(c, x, y, Update.SET);
  }

  /** {@code c [m, n] += x [tokens, m]ᵀ · y [tokens, n]}. */
  public static void addCrossGram(INDArray c, INDArray x, INDArray y) {
    crossGram(c, x, y, Update.ADD);
  }

  private static void crossGram(INDArray c, INDArray x, INDArray y, Update update) {
    requireEqual(rows(x), rows(y), x, y);
    requireEqual(rows(c), columns(x), c, x);
    requireEqual(columns(c), columns(y), c, y);
    try (Pair pair = Pair.of(x, y)) {
      if (BFloats.isBf16(pair.a())) {
        crossGramOfTransposed(c, x, y, update);
      } else {
        Workers.forEach(
            parts(rows(c), GRAM_PART),
            part -> {
              int from = part * GRAM_PART;
              int count = Math.min(GRAM_PART, rows(c) - from);
              multiply(
                  Form.TRANSPOSED,
                  Block.columns(pair.a(), from, count),
                  Form.PLAIN,
                  Block.all(pair.b()),
                  update,
                  Block.rows(c, from, count));
            });
      }
    }
  }

  private static void crossGramOfTransposed(INDArray c, INDArray x, INDArray y, Update update) {
    int tokens = padded(rows(x));
    try (INDArray left = transposed(x);
        INDArray right = transposed(y)) {
      Workers.forEach(
          parts(rows(left), GRAM_PART),
          part -> {
            for (int other = 0; other < parts(rows(right), GRAM_PART); other++) {
              multiplyTransposed(
                  c, channels(left, part, tokens), channels(right, other, tokens), update);
            }
          });
    }
  }

  /** Tokens with those of zeros that rows of another length would have to be copied for. */
  private static int padded(int tokens) {
    return (tokens + LINE - 1) / LINE * LINE;
  }

  /** {@code [channels, padded tokens and more]}: the columns behind those are there for nothing. */
  private static INDArray transposed(INDArray x) {
    int tokens = rows(x);
    INDArray transposed = BFloats.uninitialized(columns(x), padded(tokens) + 2L * LINE);
    Workers.forEach(
        parts(columns(x), GRAM_PART),
        part -> {
          Block channels = channels(transposed, part, tokens);
          Kernels.chosen()
              .transpose(Block.columns(x, channels.firstRow(), channels.rows()), channels);
        });
    if (padded(tokens) > tokens) {
      BFloats.clearColumns(transposed, tokens, padded(tokens));
    }
    return transposed;
  }

  /** A part of the channels of a transposed input {@code [channels, tokens and more]}. */
  private static Block channels(INDArray transposed, int part, int tokens) {
    int from = part * GRAM_PART;
    int count = Math.min(GRAM_PART, rows(transposed) - from);
    return new Block(transposed, from, count, 0, tokens);
  }

  /** Copies the upper triangle of {@code g [n, n]} onto the lower one. */
  public static void mirrorUpper(INDArray g) {
    Triangles.mirrorUpper(g);
  }

  private static int parts(int n, int size) {
    return (n + size - 1) / size;
  }

  static void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
    int k = formA == Form.PLAIN ? a.columns() : a.rows();
    requireShapes(formA, a, formB, b, c);
    if (c.isEmpty()) {
      return;
    }
    if (k == 0) {
      throw new IllegalArgumentException("A product over no columns");
    }
    requireTypes(a, b, c);
    Kernels.chosen().multiply(formA, a, formB, b, update, c);
  }

  private static void requireShapes(Form formA, Block a, Form formB, Block b, Block c) {
    boolean plainA = formA == Form.PLAIN;
    boolean plainB = formB == Form.PLAIN;
    if ((plainA ? a.columns() : a.rows()) != (plainB ? b.rows() : b.columns())
        || (plainA ? a.rows() : a.columns()) != c.rows()
        || (plainB ? b.columns() : b.rows()) != c.columns()) {
      throw new IllegalArgumentException(
          "Shapes do not fit: %s [%d, %d] and %s [%d, %d] into [%d, %d]"
              .formatted(
                  formA,
                  a.rows(),
                  a.columns(),
                  formB,
                  b.rows(),
                  b.columns(),
                  c.rows(),
                  c.columns()));
    }
  }

  /** Kernels read and write as many bytes as the types of their operands ask for. */
  private static void requireTypes(Block a, Block b, Block c) {
    boolean narrow = BFloats.isBf16(a.matrix());
    if (narrow != BFloats.isBf16(b.matrix()) || BFloats.isBf16(c.matrix())) {
      throw new IllegalArgumentException(
          "A product of %s and %s into %s: operands are of one type, results F32"
              .formatted(a.type(), b.type(), c.type()));
    }
  }

  /** Operands of one type, widened where they were not or where BF16 gains nothing. */
  private record Pair(INDArray a, INDArray b, boolean ownsA, boolean ownsB)
      implements AutoCloseable {

    static Pair of(INDArray a, INDArray b) {
      if (BFloats.isBf16(a) && BFloats.isBf16(b) && Kernels.multiplyBf16()) {
        return new Pair(a, b, false, false);
      }
      boolean same = a == b;
      INDArray wideA = BFloats.isBf16(a) ? BFloats.widened(a) : a;
      INDArray wideB = same ? wideA : BFloats.isBf16(b) ? BFloats.widened(b) : b;
      return new Pair(wideA, wideB, wideA != a, !same && wideB != b);
    }

    @Override
    public void close() {
      if (ownsA) {
        a.close();
      }
      if (ownsB) {
        b.close();
      }
    }
  }

  private static void requireEqual(int left, int right, INDArray a, INDArray b) {
    if (left != right) {
      throw new IllegalArgumentException(
          "Shapes do not fit: [%d, %d] and [%d, %d]"
              .formatted(rows(a), columns(a), rows(b), columns(b)));
    }
  }
}
