/** HOCON in, validated records out; every complaint names the key, the file and the line. */
package io.shardpress.common.config;
