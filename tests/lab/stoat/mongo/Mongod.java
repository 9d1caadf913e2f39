import de.bwaldvogel.mongo.MongoServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * The lab's `mongod`: its options, exit codes and data folder. LAB_MONGO_START_SECONDS makes it slow to start.
 */
final class Mongod {
  private static final Set<String> FLAGS = Set.of("--bind_ip_all", "--quiet", "--noauth", "--ipv6", "--journal");
  private static final Set<String> VALUES =
      Set.of("--bind_ip", "--dbpath", "--port", "--wiredTigerCacheSizeGB", "--oplogSize", "--setParameter");

  private Mongod() {}

  public static void main(String[] args) throws Exception {
    String folder = "/data/db";
    String bind = "127.0.0.1";
    int port = 27017;
    for (int i = 0; i < args.length; i++) {
      String[] parts = args[i].split("=", 2);
      String name = parts[0];
      if (FLAGS.contains(name)) {
        if (name.equals("--bind_ip_all")) bind = "0.0.0.0";
        continue;
      }
      if (!VALUES.contains(name)) {
        System.err.println("Error parsing command line: unrecognised option '" + args[i] + "'");
        System.exit(2);
      }
      String value = parts.length == 2 ? parts[1] : args[++i];
      if (name.equals("--dbpath")) folder = value;
      if (name.equals("--bind_ip")) bind = value.contains("0.0.0.0") || value.contains("*") ? "0.0.0.0" : value;
      if (name.equals("--port")) port = Integer.parseInt(value);
    }
    Path data = Path.of(folder);
    if (!Files.isDirectory(data) || !Files.isWritable(data)) {
      System.err.println("NonExistentPath: Data directory " + data + " not found or not writable");
      System.exit(100);
    }
    Thread.sleep(1000L * Integer.parseInt(System.getenv().getOrDefault("LAB_MONGO_START_SECONDS", "0")));
    serve(data, bind, port);
  }

  private static void serve(Path data, String bind, int port) {
    Backend backend = new Backend(data.resolve("lab.mv").toString());
    MongoServer server = new MongoServer(backend);
    server.bind(bind.split(",")[0], port);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    System.out.println("{\"c\":\"NETWORK\",\"msg\":\"Waiting for connections\",\"attr\":{\"port\":" + port + "}}");
  }
}
