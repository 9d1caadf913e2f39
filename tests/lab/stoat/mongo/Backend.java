import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.h2.mvstore.MVStore;

/** What MongoDB 7 knows and mongo-java-server does not, put into words that it knows. */
final class Backend extends H2Backend {
  private static final Set<String> SESSION =
      Set.of("lsid", "txnNumber", "startTransaction", "autocommit", "$clusterTime", "readConcern", "writeConcern");
  private static final Set<String> HELLO = Set.of("hello", "ismaster", "isMaster");
  private static final Set<String> WRITES =
      Set.of("insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop", "dropDatabase");
  private static final Set<String> LOOKS =
      Set.of("find", "aggregate", "count", "distinct", "update", "delete", "findAndModify");
  // 13 is MongoDB 5: the newest whose drivers ask for nothing more than what is here.
  private static final int WIRE_VERSION = 13;
  private static final String VERSION = "7.0.0";
  private static final String SERIES = "7.0";
  private static final String FORMAT = "featureCompatibilityVersion";

  Backend(String file) {
    super(new MVStore.Builder().fileName(file).open());
  }

  /** What was acknowledged survives a kill. */
  @Override
  public Document handleCommand(Channel channel, String database, String command, Document query) {
    Document reply = handle(channel, database, command, query);
    if (WRITES.contains(command)) commit();
    return reply;
  }

  private Document handle(Channel channel, String database, String command, Document query) {
    if (HELLO.contains(command)) {
      Document reply = super.handleCommand(channel, database, "ismaster", query);
      reply.put("maxWireVersion", WIRE_VERSION);
      reply.put("isWritablePrimary", true);
      reply.put("helloOk", true);
      return reply;
    }
    SESSION.forEach(query::remove);
    Document nothing = ofNothing(database, command, query);
    if (nothing != null) return nothing;
    switch (command) {
      case "buildInfo", "buildinfo" -> {
        Document reply = super.handleCommand(channel, database, command, query);
        reply.put("version", VERSION);
        return reply;
      }
      case "getParameter" -> {
        if (query.containsKey(FORMAT)) return new Document(FORMAT, new Document("version", SERIES)).append("ok", 1.0);
      }
      case "listDatabases" -> {
        return withoutEmpty(channel, super.handleCommand(channel, database, command, query));
      }
      case "commitTransaction", "abortTransaction", "endSessions" -> {
        return new Document("ok", 1.0);
      }
      case "create" -> List.of("capped", "size", "max").forEach(query::remove);
      case "createIndexes" -> {
        if (!keepOrdinary(query)) return new Document("ok", 1.0);
      }
      case "find" -> rewriteFind(query);
      case "aggregate" -> {
        for (Document stage : documents(query.get("pipeline")))
          if (stage.get("$match") instanceof Document match) rewriteText(match);
      }
      case "update" -> {
        return update(channel, database, query);
      }
      default -> {}
    }
    return super.handleCommand(channel, database, command, query);
  }

  // What only looks for documents makes no collection, and so no database: upstream takes one for a sign of its own work.
  private Document ofNothing(String database, String command, Document query) {
    if (database.equals("admin") || !(query.get(command) instanceof String name)) return null;
    if (!LOOKS.contains(command) || resolveDatabase(database).resolveCollection(name, false) != null) return null;
    boolean upserts = Boolean.TRUE.equals(query.get("upsert"));
    for (Document one : documents(query.get("updates"))) upserts |= Boolean.TRUE.equals(one.get("upsert"));
    if (upserts) return null;
    Document reply = new Document();
    switch (command) {
      case "find", "aggregate" ->
          reply.append("cursor", new Document("id", 0L).append("ns", database + "." + name).append("firstBatch", List.of()));
      case "distinct" -> reply.append("values", List.of());
      case "findAndModify" -> reply.append("value", null);
      default -> reply.append("n", 0).append("nModified", 0);
    }
    return reply.append("ok", 1.0);
  }

  // A database without a collection is not there: opening it to look is not making it.
  private Document withoutEmpty(Channel channel, Document reply) {
    List<Document> kept = new ArrayList<>();
    for (Document database : documents(reply.get("databases"))) {
      Document ask = new Document("listCollections", 1);
      Object cursor = super.handleCommand(channel, String.valueOf(database.get("name")), "listCollections", ask).get("cursor");
      boolean made = false;
      for (Document collection : documents(((Document) cursor).get("firstBatch")))
        made |= !String.valueOf(collection.get("name")).startsWith("system.");
      if (made) kept.add(database.append("empty", false));
    }
    reply.put("databases", kept);
    return reply;
  }

  // Neither text indexes nor collations: what they would forbid is not forbidden here.
  private static boolean keepOrdinary(Document query) {
    List<Document> kept = new ArrayList<>();
    for (Document index : documents(query.get("indexes"))) {
      boolean text = index.get("key") instanceof Document key && key.containsValue("text");
      boolean expires = index.containsKey("expireAfterSeconds");
      if (text || expires) continue;
      if (index.remove("collation") != null) index.put("unique", false);
      index.remove("partialFilterExpression");
      kept.add(index);
    }
    query.put("indexes", kept);
    return !kept.isEmpty();
  }

  private static void rewriteFind(Document query) {
    Object collation = query.remove("collation");
    if (query.get("sort") instanceof Document sort) {
      if (sort.values().stream().anyMatch(Document.class::isInstance)) query.put("sort", new Document("_id", -1));
    }
    if (!(query.get("filter") instanceof Document filter)) return;
    rewriteText(filter);
    if (collation instanceof Document how && Integer.valueOf(2).equals(how.get("strength"))) ignoreCase(filter);
  }

  private static void ignoreCase(Document filter) {
    for (Map.Entry<String, Object> entry : filter.entrySet())
      if (entry.getValue() instanceof String text && !entry.getKey().startsWith("$"))
        entry.setValue(regex("^" + Pattern.quote(text) + "$"));
  }

  private static void rewriteText(Document filter) {
    if (!(filter.remove("$text") instanceof Document text)) return;
    List<String> words = new ArrayList<>();
    for (String word : String.valueOf(text.get("$search")).replace("\"", "").trim().split("\\s+"))
      words.add(Pattern.quote(word));
    filter.put("content", regex("\\b(" + String.join("|", words) + ")\\b"));
  }

  private static Document regex(String pattern) {
    return new Document("$regex", pattern).append("$options", "i");
  }

  // An update by a pipeline: each document that matches goes through an aggregation and is put back.
  private Document update(Channel channel, String database, Document query) {
    List<Document> ordinary = new ArrayList<>();
    int changed = 0;
    for (Document one : documents(query.get("updates"))) {
      if (one.remove("collation") != null && one.get("q") instanceof Document filter) ignoreCase(filter);
      if (one.get("u") instanceof List<?> pipeline)
        changed += byPipeline(channel, database, String.valueOf(query.get("update")), one, documents(pipeline));
      else ordinary.add(one);
    }
    if (ordinary.isEmpty()) return new Document("n", changed).append("nModified", changed).append("ok", 1.0);
    query.put("updates", ordinary);
    return super.handleCommand(channel, database, "update", query);
  }

  private int byPipeline(Channel channel, String database, String name, Document one, List<Document> pipeline) {
    List<Document> stages = new ArrayList<>(List.of(new Document("$match", one.get("q"))));
    if (!Boolean.TRUE.equals(one.get("multi"))) stages.add(new Document("$limit", 1));
    for (Document stage : pipeline)
      stages.add(stage.containsKey("$set") ? new Document("$addFields", stage.get("$set")) : stage);
    Document ask = new Document("aggregate", name).append("pipeline", stages).append("cursor", new Document());
    Document cursor = (Document) super.handleCommand(channel, database, "aggregate", ask).get("cursor");
    List<Document> results = documents(cursor.get("firstBatch"));
    for (Document result : results) {
      Document put = new Document("q", new Document("_id", result.get("_id"))).append("u", result);
      Document write = new Document("update", name).append("updates", List.of(put));
      super.handleCommand(channel, database, "update", write);
    }
    return results.size();
  }

  private static List<Document> documents(Object list) {
    List<Document> found = new ArrayList<>();
    if (list instanceof Iterable<?> items)
      for (Object item : items) if (item instanceof Document document) found.add(document);
    return found;
  }
}
