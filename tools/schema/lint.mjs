// graphql-eslint over the printed schema, and over the operations that are committed.
import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import { dirname } from 'node:path';

const name = (rule) => `@graphql-eslint/${rule}`;
const named = (rules) => Object.fromEntries(Object.entries(rules).map(([rule, value]) => [name(rule), value]));

const schemaRules = {
  ...plugin.configs['flat/schema-recommended'].rules,
  ...plugin.configs['flat/schema-relay'].rules,
  ...named({
    // Money, options and payloads have no life of their own, so no id.
    'strict-id-in-types': 'off',
    // nodes beside edges is a list of plain elements: a convenience of ours that Relay does not mind.
    'relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],
    // The recommended set asks for types and root fields alone.
    'require-description': ['error', {
      types: true, rootField: true, DirectiveDefinition: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true,
    }],
    'input-name': ['error', { caseSensitiveInputType: false, checkInputType: true, checkQueries: false, checkMutations: true }],
    'no-scalar-result-type-on-mutation': 'error',
  }),
};

const operationRules = {
  ...plugin.configs['flat/operations-recommended'].rules,
  ...named({
    // A script that looks at one value does not want the id beside it.
    'require-selections': 'off',
    // PAYDESK_LIMIT_DEPTH: the server would refuse a deeper one.
    'selection-set-depth': ['error', { maxDepth: 15 }],
  }),
};

// The contract declares Upload before the first mutation takes one.
const excused = ['Scalar type `Upload` is unreachable.'];

/**
 * lint judges the schema and the operations written against it, all given by path.
 * @returns {Promise<string[]>} complaints as "file:line message (rule)"; none where all is well
 */
export async function lint(schema, documents) {
  const files = [schema, ...documents];
  const eslint = new ESLint({
    cwd: commonFolder(files), // ESLint lints nothing outside its working folder
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.{graphql,graphqls}'],
        plugins: { '@graphql-eslint': plugin },
        languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema, documents } } },
      },
      { files: ['**/*.graphqls'], rules: schemaRules },
      { files: ['**/*.graphql'], rules: operationRules },
    ],
  });
  const results = await eslint.lintFiles(files);
  return results.flatMap((r) => r.messages.filter((m) => !excused.includes(m.message))
    .map((m) => `${r.filePath}:${m.line ?? 0} ${m.message} (${m.ruleId ?? 'syntax'})`));
}

function commonFolder(files) {
  let folder = dirname(files[0]);
  while (folder !== '/' && !files.every((f) => f.startsWith(`${folder}/`))) folder = dirname(folder);
  return folder;
}
