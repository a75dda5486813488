/**
 * The table of rules by which a payload says what happened: every word that means something to `findTarget` and `findChanges`, and nothing
 * else does. A rule quotes what is there under the name that it has there; none completes or interprets it.
 *
 * Keys are compared as written, except where it says otherwise. What stands first wins.
 */
export const rules = {
  /** A product says it itself. Dotted keys stand as one key, or as objects in each other. */
  said: ['audit.summary'],
  saidTarget: ['audit.target'],

  /** Objects that hold what was asked for, beside what describes the request: the target is looked for in them first. */
  details: [
    'requestParameters',
    'parameters',
    'params',
    'details',
    'data',
    'attributes',
    'properties',
    'payload',
  ],
  /** Keys that hold the target, as a text, an object or a list of objects. */
  targets: [
    'target',
    'targets',
    'subject',
    'resource',
    'resources',
    'object',
    'entity',
    'item',
    'destination',
  ],
  /** In an object, what names it … */
  names: [
    'name',
    'displayName',
    'display_name',
    'title',
    'email',
    'username',
    'userName',
    'login',
    'slug',
    'path',
    'key',
  ],
  /** … or else identifies it. */
  ids: ['id', 'uid', 'uuid', 'arn', 'ARN', 'urn'],
  /** Ends of keys such as `flowId`, `bucket_name`; in any case. What stands before them is the noun. */
  nameEnds: ['name', 'title', 'email', 'slug', 'key'],
  idEnds: ['identifier', 'id', 'uid', 'uuid', 'arn'],

  /** Keys that describe who asked and how: never the target, nor a change. In any case, without `_` and `-`. */
  asides: [
    ...[
      'request',
      'requestid',
      'context',
      'actor',
      'actorid',
      'actorname',
      'useridentity',
      'useragent',
      'client',
      'session',
    ],
    ...[
      'sessionid',
      'traceid',
      'spanid',
      'correlationid',
      'eventid',
      'eventname',
      'eventtype',
      'eventsource',
      'accountid',
      'recipientaccountid',
      'tenantid',
      'organizationid',
    ],
    ...[
      'orgid',
      'query',
      'filter',
      'filters',
      'filterset',
      'headers',
      'tlsdetails',
      'responseelements',
      'error',
      'step',
      'ip',
      'host',
    ],
    ...['additionaleventdata', 'version', 'audit'],
  ],

  /** Two keys of one object: its value before, and after. */
  pairs: [
    ['before', 'after'],
    ['old', 'new'],
    ['oldValue', 'newValue'],
    ['old_value', 'new_value'],
  ],
  /** The same, but only where the object holds nothing else, and is not the whole payload: mails and periods have them too. */
  strictPairs: [['from', 'to']],
  /** Ends of keys whose `from` and `to` are a period. In any case. */
  periods: ['range', 'period', 'window', 'interval', 'time', 'times', 'date', 'dates', 'between'],
  /** Beside a pair: what has changed. */
  pathKeys: ['path', 'field', 'name', 'key', 'attribute', 'property'],
  /** Objects of changes by field, each a pair or a list of two. */
  changes: ['changes', 'changed', 'diff', 'audited_changes', 'changed_attributes', 'changedAttributes'],
  /** Lists of names of what has changed, without values. */
  changedNames: ['changed', 'changes', 'changedFields', 'changed_fields', 'updatedFields', 'updated_fields'],

  /** Why it was done, or failed. */
  why: [
    'errorCode',
    'error.code',
    'error_code',
    'reason',
    'failureReason',
    'failure_reason',
    'outcome.reason',
  ],
} as const;
