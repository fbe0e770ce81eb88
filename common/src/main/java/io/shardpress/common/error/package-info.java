/** One typed hierarchy: every error says what happened, why, and what to do. */
package io.shardpress.common.error;
