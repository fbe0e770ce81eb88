/** Pure numerics: no storage, no cluster, no clock. */
package io.shardpress.operators;
