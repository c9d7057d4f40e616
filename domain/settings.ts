/** What a maintainer may set, in `mergewright.yaml`. One schema; its types travel with a run as plain data. */
import { z } from "zod";

const positive = z.number().positive();
const count = z.int().positive();
const size = z
  .string()
  .regex(/^\d+(\.\d+)?\s*([kmgt]i?b?|b)?$/i, "a size such as 512m or 2g")
  .describe("Bytes, with a unit as Docker writes it (k, m, g)");

/** US dollars for a million tokens; see {@link Settings.prices}. */
export const Price = z.strictObject({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cache_read: z.number().nonnegative(),
  cache_write: z.number().nonnegative(),
});
export type Price = z.infer<typeof Price>;

/** A step of a run is given up after 6 hours (`workflows/activities.ts`), and does more than its longest command. */
const LONGEST_COMMAND_HOURS = 5;

export const Limits = z.strictObject({
  turns: count.default(150).describe("Model turns of one agent in one round"),
  minutes: positive.default(120).describe("Working time of one agent in one round, in minutes"),
  // A round of 150 turns, each with a context of a million tokens, stays below it.
  tokens: z
    .int()
    .min(0)
    .default(200_000_000)
    .describe("Tokens of one agent in one round, in and out, also those read from the cache; 0: what the budget pays"),
  budget_usd: positive.default(10).describe("What one run may spend before it asks, in US dollars"),
  review_rounds: z.int().min(0).default(3).describe("How often the reviewer's findings go back to the coder"),
  verification_rounds: z
    .int()
    .min(0)
    .default(3)
    .describe("How often a change that does not verify goes back to the coder"),
  check_rounds: z.int().min(0).default(3).describe("How often failed checks go back to the coder"),
  rebase_rounds: z
    .int()
    .min(0)
    .default(2)
    .describe("How often the base branch is merged into ours when it moved on, before a person is asked"),
  command_seconds: count
    .max(LONGEST_COMMAND_HOURS * 3600)
    .default(600)
    .describe("One shell command in the sandbox, in seconds"),
  test_minutes: positive
    .max(LONGEST_COMMAND_HOURS * 60)
    .default(30)
    .describe("One run of the test command, in minutes"),
  check_minutes: positive.default(120).describe("How long the checks of a head commit may take, in minutes"),
  approval_reminder_hours: z
    .number()
    .min(0)
    .default(48)
    .describe("Hours between two reminders while an approval is awaited; 0: none"),
  approval_days: z
    .number()
    .min(0)
    .default(30)
    .describe("Days after which a run that nobody approved is declined; 0: it waits without end"),
  output_characters: z
    .int()
    .min(1000)
    .default(10_000)
    .describe("What the model sees of one tool's output: half from its head, half from its tail"),
});

export const Policy = z.strictObject({
  protected_paths: z
    .array(z.string().min(1))
    .default([
      ".github/workflows/**",
      ".github/actions/**",
      "**/CODEOWNERS",
      "**/AGENTS.md",
      "**/CLAUDE.md",
      ".claude/**",
      "**/.mcp.json",
      ".husky/**",
      "**/.gitattributes",
      "**/.gitmodules",
    ])
    .describe("Globs that a run may not change"),
  max_files: count.default(50).describe("Files that one change may touch"),
  max_changed_lines: count.default(2000).describe("Lines added and deleted together"),
  max_file_bytes: count.default(1_000_000).describe("Size of one changed file, in bytes"),
});

export const SandboxSettings = z.strictObject({
  image: z.string().min(1).optional().describe("Overrides DOCKER_IMAGE for this repository"),
  memory: size.optional().describe("Overrides MEMORY_LIMIT"),
  cpus: positive.optional().describe("Overrides CPU_LIMIT"),
  pids: count.default(512).describe("Processes at one time"),
  workspace: size.default("2g").describe("Quota of the workspace"),
});

export const MemorySettings = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      "Index the code, recall how similar issues were solved, and remember each run; never a reason for a run to fail",
    ),
  similarity_threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe(
      "How much alike an earlier issue must be to be recalled, from 0 to 1; the same on every store. At 0.7 one issue in ten is shown one that is of no use, at 0.75 6 %",
    ),
  retention_days: z
    .number()
    .min(0)
    .default(90)
    .describe("Days after which what was learnt from a run is forgotten; 0: never. What people teach stays"),
  max_memories_per_issue: count.default(100).describe("Memories of one issue that are kept; the oldest go first"),
});
export type MemorySettings = z.infer<typeof MemorySettings>;

export const Triggers = z.strictObject({
  label: z
    .string()
    .min(1)
    .nullable()
    .default("mergewright")
    .describe("An issue opened with, or given, this label starts a run"),
  every_new_issue: z
    .boolean()
    .default(false)
    .describe("Every issue that is opened starts a run, with or without the label"),
  assigned: z.boolean().default(true).describe("Assigning our account starts a run (user tokens only)"),
  comment: z.boolean().default(true).describe("The comment `/mergewright run` starts a run"),
  allowed_bots: z.array(z.int().positive()).default([]).describe("Numeric ids of bot accounts that count like people"),
});
export type Triggers = z.infer<typeof Triggers>;

const cancelOrIgnore = z.enum(["cancel", "ignore"]);

export const IssueChanges = z.strictObject({
  edited: cancelOrIgnore.default("ignore").describe("Title or text is changed; the text at the trigger counts"),
  unlabeled: cancelOrIgnore.default("ignore").describe("The trigger label is taken away"),
  closed: cancelOrIgnore.default("cancel").describe("Somebody closes it"),
  transferred: cancelOrIgnore.default("cancel").describe("It is moved to another repository"),
  deleted: cancelOrIgnore.default("cancel").describe("It is deleted"),
});

export const Upkeep = z.strictObject({
  reconcile_minutes: z
    .number()
    .min(0)
    .default(10)
    .describe("How often what webhooks did not bring is looked for on GitHub, in minutes; 0: never"),
  sandbox_minutes: z
    .number()
    .min(0)
    .default(5)
    .describe(
      "How often each worker removes sandboxes of runs that have ended, and idle ones, in minutes; 0: only when it starts",
    ),
  idle_sandbox_minutes: z
    .number()
    .min(0)
    .default(10)
    .describe("Minutes without use after which a sandbox is removed; it is built again when it is needed; 0: never"),
  memory_minutes: z
    .number()
    .min(0)
    .default(360)
    .describe(
      "How often memories that are past their time are forgotten (memory.retention_days), in minutes; 0: never",
    ),
});
export type Upkeep = z.infer<typeof Upkeep>;

export const Models = z.strictObject({
  classifier: z.string().min(1).default("claude-haiku-5-5"),
  planner: z.string().min(1).default("claude-opus-5-5"),
  coder: z.string().min(1).default("claude-sonnet-5-5"),
  reviewer: z.string().min(1).default("claude-opus-5-5"),
});

const settingsShape = {
  auto_comment: z.boolean().default(true).describe("Keep one progress comment on the issue"),
  auto_assign: z
    .boolean()
    .default(false)
    .describe("Assign the issue to our account while a run works on it (user tokens only)"),
  add_labels: z
    .union([z.boolean(), z.array(z.string().min(1))])
    .default(true)
    .describe("Label the issue and the pull request: true, false, or the labels for the pull request"),
  add_reaction: z.boolean().default(true).describe("React with eyes to the issue or comment that started the run"),
  close_on_success: z.boolean().default(true).describe("`Closes #N` in the pull request; false writes `Refs #N`"),
  auto_merge: z.boolean().default(false).describe("Merge without asking, once verified, reviewed and green"),
  require_review: z
    .boolean()
    .default(true)
    .describe("A human approves the head commit before the merge; wins over auto_merge"),
  require_plan_approval: z.boolean().default(false).describe("Wait for approvePlan before any code is written"),
  merge_method: z.enum(["merge", "squash", "rebase"]).default("squash").describe("How the pull request is merged"),
  report: z
    .enum(["check-run", "commit-status", "none"])
    .default("commit-status")
    .describe("How the head commit shows our verification; check runs need a GitHub App"),
  post_review: z.boolean().default(true).describe("Show what our reviewer found as a review on the pull request"),
  priority_labels: z
    .record(z.string().min(1), z.int().min(1).max(5))
    .default({})
    .describe(
      "Which runs get room first: labels with a priority from 1 (first) to 5 (last), such as `{ urgent: 1 }`; without one it is 3",
    ),
  test_command: z
    .string()
    .min(1)
    .optional()
    .describe("Runs the whole test suite; detected from the repository when absent"),
  setup_command: z.string().min(1).optional().describe("Runs once in every new sandbox before anything else"),
  issue_changes: IssueChanges.prefault({}).describe(
    "Whether a change of the issue ends the run that works on it; the comments of the run say so either way",
  ),
  limits: Limits.prefault({}).describe("When a run stops and asks"),
  policy: Policy.prefault({}).describe("What a change may not do, whoever wrote it"),
  sandbox: SandboxSettings.prefault({}).describe("Where the commands run"),
  models: Models.prefault({}).describe("Which Claude does what"),
  memory: MemorySettings.prefault({}).describe("What is remembered from one run to the next"),
};

/** The settings of one repository, complete. */
export const RepositorySettings = z.strictObject(settingsShape);
export type RepositorySettings = z.infer<typeof RepositorySettings>;

/** A run carries the settings and prices that held when it started, as plain data. */
export interface RunSettings extends RepositorySettings {
  /** By model name; a model without a price is refused when the configuration is read. */
  prices: Record<string, Price>;
}
