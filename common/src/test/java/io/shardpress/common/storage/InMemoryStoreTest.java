package io.shardpress.common.storage;

class InMemoryStoreTest extends StoreContract {
  private final InMemoryStore store = new InMemoryStore();

  @Override
  Store store() {
    return store;
  }

  @Override
  Location root() {
    return Location.of("memory:/work");
  }
}
