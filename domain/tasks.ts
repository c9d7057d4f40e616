/** What the JSON API takes. Unknown keys are dropped but of an approval; a wrong one is told with its path. */
import { z } from "zod";
import { isLogin, isRepositoryName } from "./ids.ts";

const Login = z.string("must be a GitHub login").trim().refine(isLogin, "not a GitHub login");

const MAX_TEXT = 10_000;
const Text = z
  .string("must be a text")
  .trim()
  .min(1, "must not be empty")
  .max(MAX_TEXT, `must not be longer than ${MAX_TEXT} characters`);

const wholeNumber = (most: number, message: string) => z.int(message).positive(message).max(most, message);

const NO_OBJECT = "must be a JSON object";

export const StartTask = z.object(
  {
    repository: z.string("must be OWNER/NAME").refine(isRepositoryName, "must be OWNER/NAME"),
    issue: wholeNumber(9_999_999_999, "must be the number of an issue"),
    by: Login.optional(),
  },
  NO_OBJECT,
);
export type StartTask = z.infer<typeof StartTask>;

export const ChangeTask = z.object(
  {
    by: Login,
    sha: z
      .string("must be a full commit id")
      .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i, "not a full commit id")
      .optional(),
    reason: Text.optional(),
  },
  NO_OBJECT,
);
export type ChangeTask = z.infer<typeof ChangeTask>;

/** An approval whose commit id stood under a mistyped name would approve whatever is the head by now. */
export const ApproveTask = z.strictObject(ChangeTask.shape, {
  error: (issue) =>
    issue.code === "unrecognized_keys"
      ? `an approval takes by and sha, and not ${(issue.keys as string[]).map((key) => JSON.stringify(key.slice(0, 100))).join(", ")}`
      : NO_OBJECT,
});

export const ForkTask = z.object(
  {
    by: Login,
    turn: wholeNumber(999_999, "must be the number of a turn, from 1"),
    role: z.enum(["coder", "planner"], "must be coder or planner").default("coder"),
    instruct: Text.optional(),
    replace: z.boolean("must be true or false").default(false),
  },
  NO_OBJECT,
);
export type ForkTask = z.infer<typeof ForkTask>;

export const TASK_CHANGES = ["approve", "reject", "pause", "resume", "cancel"] as const;
export type TaskChange = (typeof TASK_CHANGES)[number];

const LIMIT = "must be a whole number above 0";
export const ListTasks = z.object({ limit: z.coerce.number(LIMIT).int(LIMIT).positive(LIMIT).optional() });

/** Reads one of these, or tells all that is wrong with it in one sentence. */
export function readRequest<T>(
  schema: z.ZodType<T>,
  input: unknown,
): { ok: true; value: T } | { ok: false; problem: string } {
  const read = schema.safeParse(input);
  if (read.success) return { ok: true, value: read.data };
  const problems = read.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  return { ok: false, problem: problems.join("; ") };
}
