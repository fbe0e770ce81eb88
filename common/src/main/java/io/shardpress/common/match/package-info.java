/** Which modules a step is for. */
package io.shardpress.common.match;
