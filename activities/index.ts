/** All activities over one set of ports. */
import type { RepositoryName } from "../domain/ids.ts";
import type { Installation } from "./artifacts.ts";
import type { MemoryPort } from "../domain/memory-ports.ts";
import type { Artifacts, Forge, Mirror, Model, Sandboxes } from "../domain/ports.ts";
import { createChange } from "./change.ts";
import type { Triggers } from "../domain/settings.ts";
import type { Activities } from "./contract.ts";
import { Conversations } from "./conversation.ts";
import { createForgetting } from "./forget.ts";
import { createForking } from "./fork.ts";
import { createGitHub } from "./github.ts";
import { createGround } from "./ground.ts";
import { createIndexing } from "./index-code.ts";
import { createIntake, type IntakeParts } from "./intake.ts";
import { createNews } from "./news.ts";
import { createRecall } from "./recall.ts";
import { createRemember } from "./remember.ts";
import { SettingsOfRuns } from "./run-settings.ts";
import { createTests } from "./tests.ts";
import { createSandboxEnding } from "./tools.ts";
import { createTurns } from "./turn.ts";

export interface Ports {
  /** A GitHub owner may bring a key of their own. */
  modelFor: (repository: RepositoryName) => Model;
  sandboxes: Sandboxes;
  forge: Forge;
  mirror: Mirror;
  artifacts: Artifacts;
  memory: MemoryPort;
}

export interface ActivityOptions extends Omit<IntakeParts, "forge"> {
  /** Secret values of the worker, none of which may leave in a change. */
  secrets: readonly string[];
  /** The task queue of this worker's own: where the sandboxes that it opens are found again. */
  home: string;
  /** Aborted when the worker begins to shut down: commands are handed over at once, replies of Claude are waited for. */
  draining: AbortSignal;
  triggers: Triggers;
  /** Stands beside all that a run stores. */
  installation: Installation;
  /** What is wrong with this machine's clock, as GitHub's answers tell; null: nothing. */
  wrongClock: () => string | null;
}

export function createActivities(ports: Ports, options: ActivityOptions): Activities {
  const parts = {
    ...ports,
    ...options,
    conversations: new Conversations(ports.artifacts),
    settings: new SettingsOfRuns(ports.artifacts),
    trees: new Map<string, string>(),
  };
  return {
    ...createIntake(parts),
    ...createNews(parts),
    ...createGround(parts),
    ...createForking(parts),
    ...createTurns(parts),
    ...createSandboxEnding(parts),
    ...createChange(parts),
    ...createTests(parts),
    ...createGitHub(parts),
    ...createIndexing(parts),
    ...createRecall(parts),
    ...createRemember(parts),
    ...createForgetting(parts),
  };
}
