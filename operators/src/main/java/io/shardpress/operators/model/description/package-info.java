/** The vocabulary in which decoder families are described: what there is, not how it runs. */
package io.shardpress.operators.model.description;
