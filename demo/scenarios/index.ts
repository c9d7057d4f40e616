/** Everything that the played model can say in the demo; the title tells which of it. */
import type { Scenario } from "../model/scenario.ts";
import { littleDuration } from "./little-duration.ts";
import { recurringDates } from "./recurring-dates.ts";

export const scenarios: Scenario[] = [littleDuration, recurringDates];
