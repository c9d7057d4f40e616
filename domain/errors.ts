/**
 * Errors that keep their facts. The class name arrives in a workflow as `ApplicationFailure.type`, so adapters throw
 * these and need no import of Temporal; which of them are retried is stated once, in `workflows/activities.ts`.
 */
export abstract class MergewrightError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The configuration or the command line is wrong: told to the person, never retried. */
export class ConfigurationError extends MergewrightError {
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
  }
}

/** An outside service said "later": try again after `retryAfterMs` (null = it did not say when). */
export class RateLimited extends MergewrightError {
  readonly service: string;
  readonly retryAfterMs: number | null;
  constructor(service: string, retryAfterMs: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.service = service;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An outside service is down or overloaded, or the connection broke: worth another try. */
export class ServiceUnavailable extends MergewrightError {
  readonly service: string;
  readonly retryAfterMs: number | null;
  constructor(service: string, message: string, options?: ErrorOptions & { retryAfterMs?: number | null }) {
    super(message, options);
    this.service = service;
    this.retryAfterMs = options?.retryAfterMs ?? null;
  }
}

/** A key or token was refused (401, 403): no retry helps, an operator must act. The run parks with the reason. */
export class AccessDenied extends MergewrightError {
  readonly service: string;
  constructor(service: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.service = service;
  }
}

/** An outside service refused the request itself (400, 404, 422): the same request would be refused again. */
export class RequestRefused extends MergewrightError {
  readonly service: string;
  readonly status: number;
  constructor(service: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.service = service;
    this.status = status;
  }

  /** Bad request, too large, not processable: said of what was sent, so that something else may well be taken. */
  get ofContent(): boolean {
    return [400, 413, 422].includes(this.status);
  }
}

/** Something that was asked for by name does not exist (an issue, a repository, a model, an image). */
export class NotFound extends MergewrightError {
  readonly what: string;
  constructor(what: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.what = what;
  }
}

/** The sandbox or its engine does not answer, or the container is gone. Opening it again rebuilds it. */
export class SandboxLost extends MergewrightError {}

/** The sandbox cannot be made as asked: image missing, engine down, local mode not asked for. */
export class SandboxUnavailable extends MergewrightError {}

/**
 * As the reason of an abort: whoever waited is out of it, and another attempt goes on with what was begun, so that must not be ended.
 * Every other reason ends it.
 */
export class LeftToAnother extends MergewrightError {}

/** All places of this worker are taken: the run stands in line for one, here or elsewhere, and its sandbox is built again there. */
export class NoPlace extends MergewrightError {}

/** This worker is shutting down: the step is handed over to another, which goes on from the last checkpoint. */
export class WorkerStopping extends MergewrightError {}

/** Objects that came out of a sandbox are not acceptable: broken, too large, or of a refused kind. */
export class UnacceptableObjects extends MergewrightError {}

/** Git on the host failed in a way that is not a passing fault. */
export class GitFailed extends MergewrightError {
  readonly command: string;
  readonly exitCode: number | null;
  constructor(command: string, exitCode: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
    this.exitCode = exitCode;
  }
}

/** Something was encrypted with a key that is not set here, or it is not what was encrypted. An operator must act. */
export class CannotDecrypt extends MergewrightError {
  readonly keyId: string;
  constructor(keyId: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.keyId = keyId;
  }
}

/** An artifact that a run refers to is not in the store. */
export class ArtifactMissing extends MergewrightError {
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`Artifact ${key} is not in the store. Was the state directory removed, or ARTIFACTS_URL changed?`, options);
    this.key = key;
  }
}
