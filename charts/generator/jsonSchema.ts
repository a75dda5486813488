/** The few shapes of JSON Schema (draft 7) that the values of the chart need. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export const text = (more: JsonSchema = {}): JsonSchema => ({ type: 'string', ...more });
export const flag: JsonSchema = { type: 'boolean' };
export const whole = (minimum: number, maximum: number): JsonSchema => ({
  type: 'integer',
  minimum,
  maximum,
});
export const choice = (...values: readonly string[]): JsonSchema => ({ type: 'string', enum: values });
export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
/** Labels and the like. */
export const words: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };

/** An object that refuses any other key. */
export function closed(properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema {
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

/** An object passed on to Kubernetes unchanged; the API server checks it. */
export const open: JsonSchema = { type: 'object', additionalProperties: true };
