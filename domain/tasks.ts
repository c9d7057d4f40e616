/** What the JSON API takes. Unknown keys are dropped; a wrong one is told with its path. */
import { z } from "zod";
import { isRepositoryName } from "./ids.ts";

/** GitHub's logins, with the underscore of managed users and the suffix of Apps. */
const Login = z
  .string()
  .trim()
  .regex(/^[a-z0-9](?:[a-z0-9_-]{0,98}[a-z0-9])?(?:\[bot\])?$/i, "not a GitHub login");

export const StartTask = z.object({
  repository: z.string().refine(isRepositoryName, "must be OWNER/NAME"),
  issue: z.int().positive().max(9_999_999_999),
  by: Login.optional(),
});
export type StartTask = z.infer<typeof StartTask>;

export const ChangeTask = z.object({
  by: Login,
  sha: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i, "not a full commit id")
    .optional(),
  reason: z.string().trim().min(1).max(10_000).optional(),
});
export type ChangeTask = z.infer<typeof ChangeTask>;

export const ForkTask = z.object({
  by: Login,
  turn: z.int().positive().max(999_999),
  role: z.enum(["coder", "planner"]).default("coder"),
  instruct: z.string().trim().min(1).max(10_000).optional(),
  replace: z.boolean().default(false),
});
export type ForkTask = z.infer<typeof ForkTask>;

export const TASK_CHANGES = ["approve", "reject", "pause", "resume", "cancel"] as const;
export type TaskChange = (typeof TASK_CHANGES)[number];

export const ListTasks = z.object({ limit: z.coerce.number().int().positive().optional() });

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
