/** Storage that fails on purpose, and what must hold whatever fails. */
package io.shardpress.integration.faults;
