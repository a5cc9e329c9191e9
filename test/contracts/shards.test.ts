import { testBackend } from './backend.js';
import { testSearches } from './searches.js';
import { openIndexOfShards, openShardsInFolders } from './stores.js';
import { testTextFields } from './text-fields.js';

testBackend('two shards', () => openShardsInFolders(2));
testSearches('two shards', () => openIndexOfShards(2), true);
testTextFields('two shards', (options) => openIndexOfShards(2, options), true);
