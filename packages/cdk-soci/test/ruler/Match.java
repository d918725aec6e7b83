import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.MachineComplexityEvaluator;

/** Reads {"patterns": […], "events": […]}, and prints for each pattern a line of which events Amazon EventBridge's matcher lets through: 1 or 0 for each. */
public class Match {
    /** Where the matcher gives up counting. */
    private static final int MOST_COMPLEX = 100;

    public static void main(String[] args) throws Exception {
        JsonNode input = new ObjectMapper().readTree(new BufferedReader(new InputStreamReader(System.in, "UTF-8")));
        for (JsonNode pattern : input.get("patterns")) {
            Machine machine = new Machine();
            machine.addRule("rule", pattern.toString());
            StringBuilder line = new StringBuilder();
            for (JsonNode event : input.get("events"))
                line.append(machine.rulesForJSONEvent(event.toString()).isEmpty() ? '0' : '1');
            System.out.println(line + " " + machine.evaluateComplexity(new MachineComplexityEvaluator(MOST_COMPLEX)));
        }
    }
}
