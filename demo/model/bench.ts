/** A scenario for measuring: the coder runs one trivial command N times and ends. It matches any repository. */
import type { Classification, Plan, Review } from "../../domain/outputs.ts";
import { bash, type PlayedRequest, type PlayedTurn, type Scenario, type Turn } from "./scenario.ts";

export interface BenchOptions {
  turns: number;
  /** Default `true`. Holds `{turn}` where the number of the turn goes. */
  command?: string;
  matches?: (request: PlayedRequest) => boolean;
}

export function benchScenario({ turns, command = "true", matches = () => true }: BenchOptions): Scenario {
  const acts = Array.from({ length: turns }, (_, index): Turn => ({
    uses: [bash(command.replaceAll("{turn}", String(index)))],
  }));
  const last: PlayedTurn = { text: "The measured turns are over." };
  return {
    name: `bench-${turns}`,
    matches,
    classifier: [
      {
        data: {
          category: "maintenance",
          summary: "Runs a trivial command many times.",
          reason: "It only measures.",
        } satisfies Classification,
      },
    ],
    planner: [
      {
        data: {
          cause: "Nothing is wrong.",
          steps: [`Run \`${command}\` ${turns} times.`],
          files: [],
          test: "None.",
          risks: [],
        } satisfies Plan,
      },
    ],
    coder: [[...acts, last]],
    reviewer: [[{ data: { verdict: "approve", summary: "Nothing to object to.", findings: [] } satisfies Review }]],
  };
}
