package io.shardpress.jobs.plan;

import io.shardpress.operators.compression.Settings;
import java.io.Serializable;

/**
 * A step of the recipe that applies to a linear.
 *
 * @param position in the recipe, from 0
 * @param rule why it applies, for people
 */
public record LayerStep(int position, Settings settings, String rule) implements Serializable {}
