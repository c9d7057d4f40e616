/** Loaded by Temporal by its path, on the worker's side and in the workflow bundle: hence CommonJS. */
const { DefaultFailureConverter } = require("@temporalio/common");

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
