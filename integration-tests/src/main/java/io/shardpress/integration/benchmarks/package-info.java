/** How fast the product is, beside the product rate of the machine at that moment. */
package io.shardpress.integration.benchmarks;
