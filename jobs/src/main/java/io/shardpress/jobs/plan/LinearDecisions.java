package io.shardpress.jobs.plan;

import io.shardpress.jobs.recipe.Step;
import io.shardpress.operators.model.LinearModule;
import java.util.List;

/**
 * What each of a recipe's steps decided about a linear.
 *
 * @param steps in the recipe's order; none of a linear that no recipe may touch
 */
public record LinearDecisions(LinearModule linear, List<Step.Decision> steps) {

  public LinearDecisions {
    steps = List.copyOf(steps);
  }
}
