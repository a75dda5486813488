/** What a person did and can do about each kind of YAML error; completes "acme.yaml, line 3, column 7: …". */
import type { ErrorCode } from 'yaml';

const sentences: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'a "*" begins an alias here: put the text in quotes',
  BAD_DIRECTIVE: 'this "%" directive is not known: remove the line',
  BAD_DQ_ESCAPE: 'this "\\" escape is not known: double the backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it: line it up with its neighbours',
  BAD_SCALAR_START: 'text cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on the line: put the text in quotes, or begin a new line',
  BLOCK_IN_FLOW: 'a "{" or "[" is still open here: close it first',
  DUPLICATE_KEY: 'this field is written twice: keep one of them',
  MISSING_CHAR: 'something is missing here, such as a ":", a closing quote, "]" or "}": add it',
  MULTILINE_IMPLICIT_KEY: 'a ":" is missing on the line before, or a quote is not closed: add it',
  NON_STRING_KEY: 'the name of a field must be text: put it in quotes',
  TAB_AS_INDENT: 'a tab cannot indent: use spaces',
  TAG_RESOLVE_FAILED: 'this "!" tag is not known: remove it, or put the text in quotes',
  UNEXPECTED_TOKEN: 'this is not expected here: put the text in quotes, or correct the lines around it',
};

export function describeYamlCode(code: ErrorCode): string {
  return sentences[code] ?? 'this is not valid YAML: correct the lines around it';
}
