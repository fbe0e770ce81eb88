package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Stream;

/** The choice of the field to read, and what is wrong with one, for all formats alike. */
final class Fields {
  private Fields() {}

  /** The field asked for; without one {@code text}, else {@code input_ids}. */
  static String choose(String where, Optional<String> asked, Collection<String> present) {
    Stream<String> wanted = asked.map(Stream::of).orElseGet(() -> Stream.of("text", "input_ids"));
    return wanted
        .filter(present::contains)
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    "%s has no field %s; it has %s. Set 'field' to the one with the text or the token ids."
                        .formatted(
                            where,
                            asked.map(name -> "'" + name + "'").orElse("'text' or 'input_ids'"),
                            present.isEmpty() ? "none" : String.join(", ", present))));
  }

  static InputException missing(String where, String field) {
    return new InputException(
        "%s has no value in field '%s'. Remove the row, or fill the field."
            .formatted(where, field));
  }

  static InputException unsuitable(String where, String field, String found) {
    return new InputException(
        "Field '%s' of %s holds %s, but must hold text or a list of integer token ids. Set 'field' to another one, or convert it."
            .formatted(field, where, found));
  }
}
