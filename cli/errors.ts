/** How a command ends when it cannot do what it was asked for: one line for people, one document for programs. */
import { ConfigurationError, MergewrightError } from "../domain/errors.ts";

export const DONE = 0;
export const FAILED = 1;
export const USAGE = 2;

/** The command line itself is wrong. */
export class UsageError extends MergewrightError {
  /** The command whose help tells more, such as `run`; null: the program's own. */
  readonly command: string | null;
  constructor(message: string, command: string | null = null) {
    super(message);
    this.command = command;
  }
}

/** The command was understood and did not succeed. */
export class CommandFailed extends MergewrightError {
  /** A word for programs: `refused`, `not-found`, `ended`, ... */
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface Told {
  exitCode: number;
  code: string;
  message: string;
  problems?: readonly string[];
  /** For an error that nobody foresaw. */
  stack?: string;
}

export function tell(error: unknown): Told {
  if (error instanceof UsageError) return { exitCode: USAGE, code: "usage", message: error.message };
  if (error instanceof ConfigurationError) {
    return { exitCode: USAGE, code: "configuration", message: error.message, problems: error.problems };
  }
  if (error instanceof CommandFailed) return { exitCode: FAILED, code: error.code, message: error.message };
  if (error instanceof MergewrightError || isSetupError(error))
    return { exitCode: FAILED, code: kebab(error.name), message: error.message };
  const unexpected = error instanceof Error ? error : new Error(String(error));
  return {
    exitCode: FAILED,
    code: "unexpected",
    message: unexpected.message,
    ...(unexpected.stack ? { stack: unexpected.stack } : {}),
  };
}

/** Set-up stands outside of the TypeScript rooms and has an error class of its own. */
function isSetupError(error: unknown): error is Error {
  return error instanceof Error && error.name === "SetupError";
}

function kebab(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase();
}
