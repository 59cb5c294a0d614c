package peer.cases;

import java.lang.annotation.*;

/** A numbered test case. `expected` is for people; the method judges. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Case {
    String id();

    String title();

    String expected();
}
