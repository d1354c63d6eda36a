/** What its user can set right; its message says how. */
export class CreateError extends Error {}
