/** JSON read strictly: no duplicate keys, no trailing text, bounded depth and size. */
package io.shardpress.common.json;
